"""The commands that a person calls by hand. They own no artefact; each is a module with ``run``."""

COMMANDS: tuple[str, ...] = ("doctor", "add-slide", "summary")


def module_of(command: str) -> str:
    """Return the name of the module of a command: ``add-slide`` is ``add_slide``."""
    return command.replace("-", "_")
