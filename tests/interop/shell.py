"""The shell on a terminal: completion, statements over several lines, Ctrl-C that stops a query and not the shell, Ctrl-D.

Run by tests/shell.rs with the program and a home folder as arguments; the standard library is enough.
"""

import os
import pty
import select
import sys
import time

PROMPT = b"hollandite> "


class Terminal:
    def __init__(self, program, home):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            environment = {k: v for k, v in os.environ.items() if k != "HOLLANDITE_STORE"}
            environment.update(HOME=home, XDG_DATA_HOME=os.path.join(home, "data"), TERM="xterm", COLUMNS="200")
            os.execve(program, [program, "shell"], environment)
        self.seen = b""

    def send(self, text):
        os.write(self.fd, text)

    def expect(self, text, seconds=60):
        """Read until `text` has come, and forget all up to it."""
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise SystemExit(f"expected {text!r} within {seconds} s, saw {self.seen!r}")
            try:
                self.seen += os.read(self.fd, 65536)
            except OSError:
                raise SystemExit(f"expected {text!r}, the shell left after {self.seen!r}")
        before, self.seen = self.seen.split(text, 1)
        return before


def main(program, home):
    terminal = Terminal(program, home)
    terminal.expect(PROMPT)

    terminal.send(b"SELECT 40 +\r")
    time.sleep(0.2)
    terminal.send(b"2 AS answer;\r")
    terminal.expect(b"answer\r\n")
    terminal.expect(b"42\r\n")
    terminal.expect(PROMPT)

    terminal.send(b"SELECT spacegroup_s\t")
    terminal.expect(b"spacegroup_symbol(")
    terminal.send(b"\x03")
    terminal.expect(PROMPT)

    terminal.send(b"SELECT sum(a.value * b.value) FROM generate_series(1, 10000000) AS a, generate_series(1, 10000000) AS b;\r")
    time.sleep(1.5)
    started = time.monotonic()
    terminal.send(b"\x03")
    terminal.expect(b"cancelled", seconds=10)
    terminal.expect(PROMPT, seconds=10)
    if time.monotonic() - started > 5:
        raise SystemExit("Ctrl-C took more than 5 s")

    terminal.send(b"SELECT 'still ' || 'here' AS s;\r")
    terminal.expect(b"still here")
    terminal.expect(PROMPT)
    terminal.send(b"SELECT broken;\r")
    terminal.expect(b"error: ")
    terminal.expect(PROMPT)

    terminal.send(b"\x04")
    status = os.waitstatus_to_exitcode(os.waitpid(terminal.pid, 0)[1])
    if status != 0:
        raise SystemExit(f"Ctrl-D ended the shell with {status}")
    with open(os.path.join(home, "data", "hollandite", "history")) as history:
        if "still " not in history.read():
            raise SystemExit("the history was not kept")
    print("ok")


if __name__ == "__main__":
    main(*sys.argv[1:])
