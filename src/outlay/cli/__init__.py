"""The command: one file per group of commands, imported when used."""
