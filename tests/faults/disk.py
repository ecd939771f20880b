"""A disk that is soon full."""
import contextlib
import os
import subprocess
import tempfile

from room import Skipped


@contextlib.contextmanager
def small_disk(megabytes):
    """A file system of that size, a tmpfs; everybody may write into it."""
    folder = tempfile.mkdtemp(prefix="dps.")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=1777", "tmpfs", folder], capture_output=True, check=False)
    try:
        if mounted.returncode:
            raise Skipped("this user may not mount a small file system")
        yield folder
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", folder], check=True)
        os.rmdir(folder)
