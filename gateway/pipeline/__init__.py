"""From a request to a route, and from a reply to an answer: pure functions, in the order a request meets them.

`routing` finds the upstream and route, `plan` says how its replies are read, `decide` whether one is captured,
`normalise` what it means, `render` how that is written.
"""
