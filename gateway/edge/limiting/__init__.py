"""What limits need of the world: `stores` where the configuration says, `waiting` whose turn it is to be asked for.

`budgets` hears what upstreams still grant, and `exchange` tells it to other replicas. `limit_metrics`, `store_metrics`
and `budget_metrics` tell operators.
"""
