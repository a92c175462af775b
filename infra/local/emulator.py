"""Runs the AWS emulator until the process that started it is gone; its state is saved on the way out.

Started by `engine.py` with a pipe as standard input: when the other end closes, whatever the reason, this process stops
itself gracefully, so that nothing is left running and nothing that was written is lost.
"""

import os
import signal
import sys
import threading

from ministack.app import main


def _stop_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    main()
