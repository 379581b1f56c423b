"""Files that are nobody's but their owner's."""

import os
from pathlib import Path


def keep_to_owner(file: Path) -> None:
    """Take from everybody else what they may do with the file, if it is there and ours."""
    try:
        found = file.stat()
    except OSError:
        return
    if found.st_mode & 0o077 and found.st_uid == os.geteuid():
        file.chmod(0o600)
