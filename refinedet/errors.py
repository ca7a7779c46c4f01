"""Errors that a user can act on. They have one root class; each is also the builtin error that it resembles.

Every message is one sentence: what was expected, what was found, where, and what to try.
"""


class RefineDetError(Exception):
    """Root of every error this project raises on purpose; the CLI prints it without a traceback."""


class InputError(RefineDetError, ValueError):
    """An argument, parameter or file content is not what was expected."""


class FileError(RefineDetError, OSError):
    """A file or folder is missing, damaged, in the way, or cannot be read or written."""


class DiskError(FileError):
    """The disk is full or cannot be written; the content to write is not at fault."""


class MissingExtra(RefineDetError, ImportError):  # noqa: N818 - it names what is missing
    """An optional package is needed; the message carries the pip line that installs it."""
