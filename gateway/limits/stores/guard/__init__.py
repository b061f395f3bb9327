"""A store on another machine made safe to ask: every request has an answer in time, whatever that one does.

`store` is what others use of it. On the way of a request: `leases` and `leasing` what was taken before, `denied` what
was refused before, `breaker` whether to ask at all, `waiting` the deadline, `standin` what is decided without it.
`charges` say where they were made, `heartbeat` counts the replicas, `tally` is told to operators, `recent` remembers
with a bound.
"""
