"""The thin edge: real sockets, clocks and counters. The core decides, this does."""
