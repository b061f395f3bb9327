"""Problems to bytes, in one module for each view; `gateway.pipeline.writers.table` knows them all.

Invariants: a writer is total (any problem gives bytes, within a bound of time and size), it decides nothing about what
a problem means, and it says what of a document it carries. No writer is made for one API: those of dialects are filled
templates (`gateway.pipeline.writers.template`), and their shapes are data.
"""
