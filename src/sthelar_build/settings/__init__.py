"""The settings of every stage, a module each, named as the stage. Imports pydantic and the standard library only."""
