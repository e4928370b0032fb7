"""What goes wrong through no fault of ours: the user can act on it, so it is one line without a traceback."""


class SthelarError(Exception):
    """The user can mend this; the message says where, what was expected, what was found, and what to do."""


class InputError(SthelarError):
    """A file is missing, broken, or not what the sheet says it is."""


class ConfigError(SthelarError):
    """The configuration or one of its sheets cannot be used."""
