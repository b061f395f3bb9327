"""The `accord` command, one module a subcommand."""
