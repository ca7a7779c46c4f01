"""Record of a run, parsed as a whole before any part is used, because its store is not trusted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, Any, TypeVar

import msgspec

from pipeline.provenance.state import SCHEMA
from refinedet.errors import FileError
from refinedet.files import is_safe_path

_SHOWN = 80
_REVISION = re.compile(r"[0-9a-f]{40,64}")
_SHA256 = r"\A[0-9a-f]{64}\Z"
_MD5 = r"\A[0-9a-f]{32}(\.dir)?\Z"
_PRINTABLE = r"\A[^\x00-\x1f\x7f-\x9f]*\Z"

Text = Annotated[str, msgspec.Meta(pattern=_PRINTABLE, max_length=4096)]
"""Text for people, without control characters, which a terminal would execute."""
StageName = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_][A-Za-z0-9_-]{0,99}\Z")]
Sha256 = Annotated[str, msgspec.Meta(pattern=_SHA256)]
Md5 = Annotated[str, msgspec.Meta(pattern=_MD5)]
"""DVC's identifier of a file or, with `.dir`, of a folder."""
Count = Annotated[int, msgspec.Meta(ge=0)]

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class Code:
    """Code of a stage: a revision and a patch on top of it."""

    revision: str | None
    """Revision, 40 to 64 hex digits; None: the code was in no repository."""
    prefix: str
    """Folder of the project in its repository; empty for the top."""
    patch_sha256: Sha256 | None
    changed_while_running: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.revision is not None and not _REVISION.fullmatch(self.revision):
            raise ValueError(f"the revision {_shown(self.revision)}, which is not 40 to 64 hex digits")
        if self.prefix:
            check_names([self.prefix.removesuffix("/")])
        check_names(self.changed_while_running)


@dataclass(frozen=True, slots=True)
class Untracked:
    """File of the project that neither git nor DVC tracks."""

    sha256: Sha256
    bytes: Count
    executable: bool
    kept: bool
    """False for a file too large to be copied."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Places where code and data were."""

    host: Text
    project: Text
    git_remotes: Mapping[Text, Text] = field(default_factory=dict)
    dvc_cache: Text | None = None
    dvc_remotes: Mapping[Text, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """Content of a run's state.json."""

    stage: StageName
    captured: datetime
    code: Code
    untracked: Mapping[str, Untracked]
    sources_md5: Mapping[str, Md5]
    """Dependency of a stage -> its MD5."""
    inputs_md5: Mapping[str, Md5]
    """Output of an earlier stage that this stage read -> its MD5."""
    seen: Seen

    def __post_init__(self) -> None:
        for names in (self.untracked, self.sources_md5, self.inputs_md5):
            check_names(names)
        if self.captured.tzinfo is None:
            raise ValueError(f"a time without a zone, {self.captured}")


@dataclass(frozen=True, slots=True)
class Sum:
    """MD5 and size of an output."""

    md5: Md5
    size: Count
    nfiles: Count | None = None

    def entry(self) -> dict[str, Any]:
        """Convert to an entry of dvc.lock."""
        return {"md5": self.md5, "size": self.size, **({} if self.nfiles is None else {"nfiles": self.nfiles})}


def parse_record(document: Any, where: str) -> Record:
    """Record from the parsed content of state.json; `where` names the file in errors.

    Raises:
        FileError: it has another schema, or a part of it has another form than a stage writes.
    """
    found = document.get("schema") if isinstance(document, dict) else None
    if found != SCHEMA:
        raise FileError(f"expected {where} in schema {SCHEMA}, found {found!r}; update refinedet")
    return parsed(document, Record, where)


def parse_sums(document: Any, where: str) -> dict[str, Sum]:
    """Output -> MD5 and size, from the parsed content of outputs.json; `where` names the file in errors.

    Raises:
        FileError: a part of it has another form than a stage writes.
    """
    sums = parsed(document, dict[str, Sum], where)
    try:
        check_names(sums)
    except ValueError as error:
        raise distrust(where, error) from error
    return sums


def parsed(document: Any, kind: type[Parsed], where: str) -> Parsed:
    """Convert a document of a run to a value of type `kind`; `where` names the file in errors.

    Raises:
        FileError: the document has another form.
    """
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise distrust(where, error) from error


def check_names(names: Iterable[str]) -> None:
    """Check that all names are names of files within the project.

    Raises:
        ValueError: a name is absolute, contains `..`, has a drive or an address, or lies in a folder `.git`.
    """
    for name in names:
        parts = PurePosixPath(name).parts
        if not parts or not is_safe_path(name) or "://" in name or ".git" in {part.casefold() for part in parts}:
            raise ValueError(f"the name {_shown(name)}, which is of no file within the project")


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")


def distrust(where: str, error: Exception) -> FileError:
    """Error to raise for a file of a run with other content than a stage or DVC writes."""
    # the parser keeps the errors of this module as causes
    cause = error.__cause__ if isinstance(error, msgspec.ValidationError) else error
    found = f"something else ({error})" if cause is None else str(cause)
    return FileError(f"expected {where} as stages and DVC write it, found {found}; do not trust it")
