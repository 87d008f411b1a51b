# SPDX-License-Identifier: BSD-3-Clause
"""Network namespaces that always go away again.

Names are sp-<pid>-<name>. They are removed when the process ends, also by an
exception, SIGINT or SIGTERM; what a killed process left is removed by the
next one. Kernel programs may lack VLANs and netem here, so neither is used.
"""

import atexit
import contextlib
import ctypes
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile

PREFIX = "sp-"
FOLDER = "sallyport-lab-"
RUN = "/run/netns"
CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)
_labs = []
_numbers = itertools.count(1)


class LabError(Exception):
    """The machine refused what the lab asked of it."""


def run(*command, stdin=None, check=True):
    """Run a command, return what it printed; LabError says why it failed."""
    done = subprocess.run(command, input=stdin, text=True,
                          stdin=None if stdin is not None
                          else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(command)}: {done.stdout.strip()}")
    return done.stdout


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"setns: {os.strerror(number)}")


class Namespace:
    """One host."""

    def __init__(self, name, full_name):
        self.name = name
        self.full_name = full_name
        self.path = f"{RUN}/{full_name}"

    @contextlib.contextmanager
    def entered(self):
        """The calling thread is inside for the time of the block."""
        with open("/proc/thread-self/ns/net", "rb") as home, \
                open(self.path, "rb") as there:
            _setns(there.fileno())
            try:
                yield
            finally:
                _setns(home.fileno())

    def socket(self, *arguments):
        """A socket that lives in this namespace, used from anywhere."""
        with self.entered():
            return socket.socket(*arguments)

    def popen(self, command, **options):
        """Start a program inside; it dies when this process does."""
        path = self.path

        def enter():
            with open(path, "rb") as there:
                _setns(there.fileno())
            _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG

        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(command, preexec_fn=enter, **options)

    def run(self, *command, stdin=None, check=True):
        return run("ip", "netns", "exec", self.full_name, *command,
                   stdin=stdin, check=check)

    def ip(self, *lines):
        """Several `ip` commands at once."""
        run("ip", "-n", self.full_name, "-batch", "-",
            stdin="\n".join(lines) + "\n")

    def sysctl(self, **values):
        """Keys with '__' for '.' and '___' for '-', as in
        net__ipv4__ip_forward=1. What the kernel has not is left out."""
        with self.entered():
            for key, value in values.items():
                path = "/proc/sys/" + key.replace("___", "-").replace(
                    "__", "/")
                if os.path.exists(path):
                    with open(path, "w", encoding="ascii") as file:
                        file.write(str(value))

    def read(self, path):
        """A file of /proc/net or /proc/sys as this namespace sees it."""
        with self.entered(), open(path, encoding="ascii") as file:
            return file.read()

    def nft(self, rules):
        self.run("nft", "-f", "-", stdin=rules)

    def mac(self, interface):
        line = self.run("ip", "-o", "link", "show", "dev", interface)
        return re.search(r"link/ether ([0-9a-f:]{17})", line).group(1)


class Lab:
    """The namespaces of one test; `close` removes them."""

    def __init__(self):
        _prepare_process()
        self.namespaces = {}
        self.closers = []
        self.folder = tempfile.TemporaryDirectory(
            prefix=f"{FOLDER}{os.getpid()}-")
        self.number = next(_numbers)
        self._links = 0
        self._host = {}
        _labs.append(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def on_close(self, function):
        """Call @function before the namespaces go; last in, first out."""
        self.closers.append(function)

    def namespace(self, name):
        # A process may have several labs: the number keeps names apart.
        full = f"{PREFIX}{os.getpid()}-{self.number}{name}"
        run("ip", "netns", "add", full)
        ns = Namespace(name, full)
        self.namespaces[name] = ns
        ns.sysctl(net__ipv6__conf__default__accept_dad=0,
                  net__ipv6__conf__all__accept_dad=0,
                  net__ipv6__conf__default__accept_ra=0,
                  net__ipv6__conf__default__router_solicitations=0)
        ns.ip("link set lo up")
        return ns

    def link(self, left, left_name, right, right_name, queues=1):
        """A cable between two hosts."""
        if self._links > 0xffff:
            raise LabError("too many links")
        self._links += 1
        number = f"{self._links:04x}"
        macs = [f"02:{side:02x}:00:{self.number & 255:02x}:{number[:2]}:"
                f"{number[2:]}"
                for side in (1, 2)]
        run("ip", "link", "add", "name", left_name, "address", macs[0],
            "netns", left.full_name,
            "numtxqueues", str(queues), "numrxqueues", str(queues),
            "type", "veth", "peer", "name", right_name, "address", macs[1],
            "netns", right.full_name,
            "numtxqueues", str(queues), "numrxqueues", str(queues))
        for ns, name in ((left, left_name), (right, right_name)):
            # Between veths the kernel leaves checksums out; a NIC would not,
            # and what DPDK takes from a veth must be a finished packet.
            ns.run("ethtool", "-K", name, "tx", "off", "tso", "off",
                   "gso", "off", "gro", "off")
            ns.ip(f"link set dev {name} up")

    def switch(self, name):
        """A switch is a host with a bridge; `plug` hosts into it."""
        ns = self.namespace(name)
        # It is to carry broken frames too, for those who look at them.
        ns.sysctl(net__bridge__bridge___nf___call___iptables=0,
                  net__bridge__bridge___nf___call___ip6tables=0)
        ns.ip("link add name switch0 type bridge stp_state 0 forward_delay 0 "
              "mcast_snooping 0", "link set dev switch0 up")
        return ns

    def plug(self, switch, ns, interface, *addresses, queues=1):
        self._host.setdefault(switch.name, 0)
        self._host[switch.name] += 1
        port = f"p{self._host[switch.name]}"
        self.link(ns, interface, switch, port, queues=queues)
        switch.ip(f"link set dev {port} master switch0")
        self.address(ns, interface, *addresses)

    @staticmethod
    def address(ns, interface, *addresses):
        if addresses:
            ns.ip(*[f"addr add {each} dev {interface}"
                    + (" nodad" if ":" in each else "")
                    for each in addresses])

    @staticmethod
    def nat(ns, inside, outside):
        """A home router: masquerade with new ports, nothing in unasked."""
        ns.sysctl(net__ipv4__ip_forward=1)
        ns.nft(f"""
            table ip nat {{
                chain post {{
                    type nat hook postrouting priority 100;
                    oifname "{outside}" masquerade random
                }}
            }}
            table ip guard {{
                chain forward {{
                    type filter hook forward priority 0; policy drop;
                    iifname "{inside}" accept
                    ct state established,related accept
                }}
            }}
        """)

    def close(self):
        if self not in _labs:
            return
        _labs.remove(self)
        errors = []
        while self.closers:
            try:
                self.closers.pop()()
            except Exception as error:  # the namespaces must go all the same
                errors.append(error)
        for ns in self.namespaces.values():
            run("ip", "netns", "del", ns.full_name, check=False)
        self.namespaces.clear()
        self.folder.cleanup()
        if errors:
            raise errors[0]


def _close_all():
    for lab in list(_labs):
        try:
            lab.close()
        except Exception as error:
            print(f"lab: {error}")


def _left_in(folder, prefix):
    """What processes that no longer live left in @folder."""
    names = os.listdir(folder) if os.path.isdir(folder) else []
    for name in names:
        found = re.fullmatch(prefix + r"(\d+)-.*", name)
        if found and not os.path.exists(f"/proc/{found.group(1)}"):
            yield name


def remove_leftovers():
    """Remove the namespaces and folders of killed processes."""
    for name in _left_in(RUN, PREFIX):
        run("ip", "netns", "del", name, check=False)
    parent = tempfile.gettempdir()
    for name in _left_in(parent, FOLDER):
        shutil.rmtree(os.path.join(parent, name), ignore_errors=True)


def _interrupt(number, _frame):
    # KeyboardInterrupt, since unittest takes SystemExit for a failed test.
    raise KeyboardInterrupt(f"signal {number}")


_prepared = False


def _prepare_process():
    global _prepared
    if _prepared:
        return
    if os.geteuid() != 0:
        raise LabError("network namespaces need root: use sudo")
    _prepared = True
    atexit.register(_close_all)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    remove_leftovers()
