"""Several processes on one port: one supervisor starts them, watches them, and answers operators for all of them.

The supervisor never touches the data path: the kernel spreads connections over the processes' own sockets.
"""
