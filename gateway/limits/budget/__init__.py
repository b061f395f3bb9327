"""Budgets: what an upstream grants us. Pure; time is an argument, and so is chance.

A budget that is declared becomes policies (`declared`). What replies say is kept in states: `window` and `bucket` are
how upstreams count, `pause` what they impose, `learned` all of it for one credential. `fair` is who goes first where
clients share a budget, and `held` puts it all behind policies.
"""
