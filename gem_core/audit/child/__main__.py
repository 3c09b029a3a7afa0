"""The child: `python -P -S -m gem_core.audit.child SOCKET PARENT DATA`. Edge: process."""

import faulthandler
import os
import socket
import sys
from collections.abc import Sequence

from gem_core.audit.child.confine import confine
from gem_core.audit.child.frames import Channel, ChannelLost
from gem_core.audit.child.messages import FROM_PARENT, OUT_OF_MEMORY, PARENT_GONE


def main(words: Sequence[str]) -> None:
    """Set the limits, then import what audits need, then answer.

    Args:
        words: the number of the inherited socket, the pid of the parent, the bytes of data that
            this process may have.

    """
    socket_fd, parent_pid, data_bytes = map(int, words)
    confine(parent_pid, data_bytes)
    # Of the thread that crashed alone: others may run on, and their frames are not to be followed.
    faulthandler.enable(all_threads=False)
    try:
        from gem_core.audit.child.answering import answer_questions  # noqa: PLC0415 - limits first

        end = socket.socket(fileno=socket_fd)
        end.set_inheritable(False)
        answer_questions(Channel(end, FROM_PARENT, None))
    except MemoryError as error:
        sys.stderr.write(f"MemoryError: {error}\n")
        os._exit(OUT_OF_MEMORY)
    except ChannelLost:  # the thread that receives may see it later than the one that sends
        os._exit(PARENT_GONE)


if __name__ == "__main__":
    main(sys.argv[1:])
