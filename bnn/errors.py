"""What a user can do something about. The command line prints these as one line and leaves with code 2."""


class BnnError(Exception):
    """Base of every error that is caused by what the user gave, and that says what to do next.

    The message names what is wrong, where, what was found, what was expected, and the next step.
    """


class GraphError(BnnError):
    """A graph, or a graph file, breaks a rule of docs/SPEC.md."""


class DataError(BnnError):
    """A record, an annotation, a window or a label cannot be used."""


class ModelError(BnnError):
    """A checkpoint or a recipe does not fit the network it is used for."""


class ToolError(BnnError):
    """A compiler, an emulator or another external tool is missing or has failed."""


class FileError(BnnError):
    """A path cannot be read or written as asked."""
