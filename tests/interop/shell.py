"""The shell on a terminal: completion, statements over several lines, Ctrl-C that ends a query and not the shell, what is too
wide or too long for the terminal, words that leave, Ctrl-D.

Run by tests/cli/shell.rs with the program and a home folder as arguments; the standard library is enough.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

PROMPT = b"hollandite> "


class Terminal:
    def __init__(self, program, home):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            environment = {k: v for k, v in os.environ.items() if k != "HOLLANDITE_STORE"}
            environment.update(HOME=home, XDG_DATA_HOME=os.path.join(home, "data"), TERM="xterm", PAGER="sed s/^/paged:/")
            os.execve(program, [program, "shell"], environment)
        self.size(40, 200)
        self.seen = b""

    def size(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def processor_time(self):
        """Seconds that the shell has computed."""
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def cancel(self, statement, after=1.5):
        """Run a statement that takes for ever, and stop it: the prompt is back soon, and then nothing computes on."""
        self.send(statement + b"\r")
        time.sleep(after)
        started = time.monotonic()
        self.send(b"\x03")
        shown = self.expect(b"cancelled", seconds=10)
        self.expect(PROMPT, seconds=10)
        # A step that has begun is ended first, a sort for instance: a second or two, where the program is not optimised.
        if time.monotonic() - started > 5:
            raise SystemExit(f"Ctrl-C took {time.monotonic() - started:.1f} s: {statement!r}")
        until = time.monotonic() + 10
        while os.path.exists("/proc/self/stat"):
            before = self.processor_time()
            time.sleep(0.5)
            if self.processor_time() - before < 0.2:
                break
            if time.monotonic() > until:
                raise SystemExit(f"computing 10 s after Ctrl-C: {statement!r}")
        self.send(b"SELECT 'still ' || 'here' AS s;\r")
        self.expect(b"still here", seconds=5)
        self.expect(PROMPT)
        return shown

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

    many = b"generate_series(1, 10000000)"
    terminal.cancel(b"SELECT sum(a.value * b.value) FROM " + many + b" AS a, " + many + b" AS b;")
    terminal.cancel(b"SELECT count(*) FROM " + many + b" a, " + many + b" b, " + many + b" c WHERE a.value + b.value + c.value < 0;")
    terminal.cancel(b"SELECT max(r) FROM (SELECT row_number() OVER (ORDER BY value * 7919 % 1000003) r FROM generate_series(1, 30000000));")
    shown = terminal.cancel(b"SELECT sum(largest_free_sphere(structure)) FROM tmo, generate_series(1, 100000);", after=3)
    if b" rows " not in shown:
        raise SystemExit(f"a long pass over rows has no bar: {shown!r}")

    terminal.size(40, 30)
    terminal.send(b"SELECT 'a text that is wide' AS first, [0.5, 1.0 / 3.0] AS second;\r")
    terminal.expect("── row 1 ".encode())
    terminal.expect(b"second  [0.5, 0.333333]\r\n")
    terminal.expect(PROMPT)
    terminal.send(b"\\x off\r")
    terminal.expect(b"expanded display is off")
    terminal.expect(PROMPT)
    terminal.send(b"SELECT 'a text that is wide' AS first, 'and another' AS second;\r")
    terminal.expect(b"a text that is wide  and another")
    terminal.expect(PROMPT)
    terminal.size(40, 200)

    terminal.send(b"SELECT value FROM generate_series(1, 100);\r")
    terminal.expect(b"paged:  100\r\n")
    terminal.expect(b"paged:(100 rows)")
    terminal.expect(PROMPT)
    terminal.send(b"SELECT value FROM generate_series(1, 10);\r")
    if b"paged" in terminal.expect(b"(10 rows)"):
        raise SystemExit("a short result went through the pager")
    terminal.expect(PROMPT)
    terminal.send(b"\\pset pager off\r")
    terminal.expect(PROMPT)
    terminal.send(b"SELECT value FROM generate_series(1, 100);\r")
    if b"paged" in terminal.expect(b"(100 rows)"):
        raise SystemExit("the pager is off and was asked")
    terminal.expect(PROMPT)

    terminal.send(b"help\r")
    terminal.expect(b"SUMMARIZE Q")
    terminal.expect(PROMPT)
    terminal.send(b"SELECT broken;\r")
    terminal.expect(b"error: ")
    terminal.expect(PROMPT)

    again = Terminal(program, home)
    again.expect(PROMPT)
    again.send(b"quit\r")
    if os.waitstatus_to_exitcode(os.waitpid(again.pid, 0)[1]) != 0:
        raise SystemExit("quit does not leave")

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
