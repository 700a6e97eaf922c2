"""Writes files that are whole or not there: first into a hidden folder beside the target, then renamed to it.

The process that writes holds a lock on the hidden folder. The system releases the lock when the process dies, for any reason.
So the next process that writes there recognizes what nobody will finish, and removes it.
"""

import contextlib
import errno
import fcntl
import functools
import hashlib
import os
import pathlib
import shutil
import socket
import stat
import tempfile
import time
from collections.abc import Iterator

from ae_zoo.errors import AEZooError, UnwritableError, first_line, short

HIDDEN = ".ae_zoo-"  # prefix of the folders of unfinished files
DAY = 86_400  # seconds after which a folder counts as abandoned, if its lock says nothing
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, None)  # errors of writes that name no file; NumPy's has no number


def as_path(name: str, path: object, error: type[AEZooError] = AEZooError) -> pathlib.Path:
    """Returns a file or folder as a Path; nothing need be there.

    Args:
        name: name of the argument, for the error.
        path: the text or the Path to check.
        error: type of the error.

    Raises:
        AEZooError: `path` is no text and no Path, is empty, has a null character, or is too long for the system.
    """
    text = os.fspath(path) if isinstance(path, os.PathLike) else path
    reason = ""
    if isinstance(text, str) and text:
        try:
            os.lstat(text)
            return pathlib.Path(text)
        except ValueError as refused:  # a null character, or half a character
            reason = f", which cannot be a name: {first_line(refused)}"
        except OSError as refused:
            if refused.errno != errno.ENAMETOOLONG:  # such as that nothing is there
                return pathlib.Path(text)
            reason = ", which is too long"
    raise error(f"{name} must be the name of a file or folder, as text or a Path; received {short(text)}{reason}.")


@contextlib.contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """Yields a file to write; it becomes `path` if the block ends without an error, and is removed otherwise.

    The file has the name of `path`, because many writers choose their format by the suffix. Missing folders are made.
    If `path` is a symbolic link, the file that it leads to is replaced, and the link stays.

    Raises:
        UnwritableError: `path` cannot be written (see `writable`), or the disk is full.
    """
    target = writable(path)
    with beside(target.parent, path) as folder:
        sibling = folder / pathlib.Path(path).name
        yield sibling
        sibling.replace(target)


def writable(path: str | os.PathLike[str]) -> pathlib.Path:
    """Returns the file that a write to `path` would replace; `path` may be a link. Call it before long work.

    Raises:
        UnwritableError: `path` is no name, or too long, a folder or a device, or its folder cannot be made or written to.
    """
    target = pathlib.Path(os.path.realpath(as_path("path", path, UnwritableError)))
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    except OSError as error:
        raise _unwritable(path, error) from error
    if stat.S_ISDIR(mode):
        raise UnwritableError(f"{path} is a folder; give the name of a file.")
    if not stat.S_ISREG(mode):
        raise UnwritableError(f"{path} is not a regular file; give the name of a file.")
    folder = next(folder for folder in target.parents if folder.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UnwritableError(f"{path} cannot be written: the folder {folder} is not writable for this user.")
    return target


@contextlib.contextmanager
def beside(folder: pathlib.Path, path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """Yields a new hidden folder in `folder`, and removes it at the end. Also removes what killed processes left there.

    Args:
        folder: the folder to write in; made if it does not exist.
        path: the file that is written, for the error.

    Raises:
        UnwritableError: the system refuses to write there, or the disk is full.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        made, lock = _made(folder)
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)
            os.close(lock)
    except OSError as error:
        reason = error.__cause__ if isinstance(error, UnwritableError) else error  # that of an inner file
        if isinstance(reason, OSError) and _is_in(folder, reason):
            raise _unwritable(path, reason) from reason
        raise


def _made(folder: pathlib.Path) -> tuple[pathlib.Path, int]:
    """Returns a new hidden folder, and the descriptor that holds its lock."""
    while True:
        made = pathlib.Path(tempfile.mkdtemp(prefix=HIDDEN + _system(), dir=folder))
        with contextlib.suppress(FileNotFoundError):  # another process may remove it before it is locked
            lock = _opened(made)
            _locked(lock, fcntl.LOCK_EX)
            if made.exists():
                return made, lock
            os.close(lock)


def _sweep(folder: pathlib.Path) -> None:
    """Removes hidden folders whose process is dead: nobody holds the lock, or nothing has changed for a day.

    The lock says nothing about processes on other machines, or if the file system has no locks.
    """
    for left in folder.glob(f"{HIDDEN}*"):
        with contextlib.suppress(OSError):  # another process holds it, or has removed it
            lock = _opened(left)
            try:
                here = _locked(lock, fcntl.LOCK_EX | fcntl.LOCK_NB) and left.name.startswith(HIDDEN + _system())
                if here or time.time() - max(path.stat().st_mtime for path in (left, *left.rglob("*"))) > DAY:
                    shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(lock)


def _opened(folder: pathlib.Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _locked(descriptor: int, how: int) -> bool:
    """Takes a lock. Returns False if the file system has no locks; raises `BlockingIOError` if another process holds it."""
    try:
        fcntl.flock(descriptor, how)
    except BlockingIOError:
        raise
    except OSError:
        return False
    return True


@functools.cache
def _system() -> str:
    """Returns a mark of the running system: on a shared disk, locks of processes on other machines may not be visible."""
    try:
        name = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        name = socket.gethostname()
    return hashlib.blake2b(name.encode(), digest_size=4).hexdigest() + "-"


def _is_in(folder: pathlib.Path, error: OSError) -> bool:
    """Returns True if an error comes from writing in `folder`, and not from a file that is read at the same time."""
    if error.filename is None:
        return error.errno in FULL
    path = pathlib.Path(os.fsdecode(error.filename))
    return path in (folder, *folder.parents) or any(part.startswith(HIDDEN) for part in path.parts)


def _unwritable(path: str | os.PathLike[str], error: OSError) -> UnwritableError:
    reason = os.strerror(error.errno) if error.errno else first_line(error)
    return UnwritableError(f"{path} cannot be written: {reason}.")
