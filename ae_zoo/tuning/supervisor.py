"""A chief and workers as processes. One that dies is replaced, and its trial is run again."""

import contextlib
import hashlib
import os
import pathlib
import socket
import subprocess
import sys
import time

from ae_zoo.errors import AEZooError, SearchError, UnreachableError
from ae_zoo.tuning import kept, worker
from ae_zoo.tuning.leaderboard import keep_best
from ae_zoo.tuning.settings import Clock, Settings
from ae_zoo.tuning.space import Candidate
from ae_zoo.tuning.trials import Trials
from ae_zoo.tuning.view import View
from ae_zoo.tuning.worker import Life

POLL = 0.3  # seconds
PATIENCE = 2  # deaths without a result, beyond those that trials can explain, after which the search ends
SILENCE = 60.0  # seconds without a sign of life, after which another machine counts as gone
ARRIVAL = 20.0  # seconds in which a chief that is just starting must answer


class Crew:
    """The processes of one machine.

    Args:
        folder: the folder of the search.
        host: the host of the chief.
        port: the port of the chief.
        workers: the number of workers, which share the cores.
        leads: whether the chief is one of the processes.
    """

    def __init__(self, folder: pathlib.Path, host: str, port: int, workers: int, leads: bool) -> None:
        self.folder, self.host, self.port, self.leads = folder, host, port, leads
        # Keras Tuner takes every process for the chief whose name contains "chief", so no machine's name is in it.
        mark = hashlib.blake2b(f"{socket.gethostname()} {os.getpid()}".encode(), digest_size=4).hexdigest()
        self.names = [f"worker-{mark}-{place}" for place in range(workers)]
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.deaths = 0  # since the last result
        # More than are needed for every worker to give up a trial that kills it.
        self.patience = (worker.DEATHS + 1) * workers + PATIENCE

    def start(self) -> None:
        """Starts the processes that neither run nor have ended well."""
        for name in (*(["chief"] if self.leads else []), *self.names):
            if name not in self.processes:
                self.processes[name] = self._started(name)

    def stop(self) -> None:
        """Kills all processes."""
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()
        self.processes.clear()
        for key, note in _notes(self.folder).items():  # of a process that was stopped, and did not die of its trial
            if note.owner in self.names:
                (self.folder / "running" / f"{key}.json").unlink(missing_ok=True)

    def mend(self) -> None:
        """Replaces the processes that have died.

        Raises:
            SearchError: they die again and again.
        """
        codes = {name: process.poll() for name, process in self.processes.items()}
        if self.leads and codes["chief"] not in (None, 0) and not self.finished:
            self._count("chief")
            self.stop()  # a worker that finds no chief would wait for an hour
        else:
            for name in self.names:
                if codes[name] not in (None, worker.DONE, worker.OUT_OF_TIME):
                    self._count(name)
                    del self.processes[name]  # its successor has the same name, and so gets its trial
        self.start()

    @property
    def finished(self) -> bool:
        """Whether all workers have ended well."""
        codes = [self.processes[name].poll() for name in self.names]
        return all(code in (worker.DONE, worker.OUT_OF_TIME) for code in codes)

    @property
    def in_time(self) -> bool:
        """Whether all workers have ended because there were no more trials."""
        return all(self.processes[name].poll() == worker.DONE for name in self.names)

    def _started(self, name: str) -> subprocess.Popen[bytes]:
        threads = str(max(1, _cores() // len(self.names)))
        share = {
            variable: threads for variable in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
        }
        environment = {**os.environ, **share, "TF_FORCE_GPU_ALLOW_GROWTH": "true", "no_grpc_proxy": self.host}
        if name == "chief":
            environment["CUDA_VISIBLE_DEVICES"] = ""
        log = self.folder / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "ae_zoo._support.child", str(os.getpid()), "ae_zoo.tuning.worker"]
        command += [str(self.folder), name, self.host, str(self.port)]
        with log.open("a") as file:
            return subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
            )

    def _count(self, name: str) -> None:
        self.deaths += 1
        if self.deaths > self.patience:
            log = self.folder / "logs" / f"{name}.log"
            lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
            last = f" ends with: {lines[-1]}" if lines else " is empty"
            raise SearchError(f"The processes of the search die again and again; the log {log}{last}")


def supervise(
    folder: pathlib.Path, settings: Settings, trials: Trials, clock: Clock, view: View, chief: str | None
) -> bool:
    """Runs the search in processes; returns True if the oracle had no more trials before the time was up."""
    host, port = address(chief) if chief else ("127.0.0.1", _free_port())
    worker.clear(folder)
    crew = Crew(folder, host, port, settings.workers, leads=True)
    if chief:
        view.say(f"Other machines that share this folder join by: ae-zoo search --join {host}:{port} --out {folder}")
    beats: dict[str, tuple[int, float]] = {}
    crew.start()
    try:
        while not crew.finished or any(note.owner not in crew.names for note in _notes(folder).values()):
            time.sleep(POLL)
            clock.tick()
            if _tell(trials, settings.seed, view):
                crew.deaths = 0
            if _silent(_notes(folder), crew, beats):
                crew.stop()  # the next chief gives the trial to another worker
                crew.start()
            elif not crew.finished:
                crew.mend()
            if clock.left is not None and clock.left < -1:  # a minute late: stuck
                return False
        _tell(trials, settings.seed, view)
        return crew.in_time
    finally:
        crew.stop()
        clock.finish()


def join(folder: pathlib.Path, chief: str, workers: int) -> None:
    """Runs workers for the chief of another machine, until it has no more trials.

    Args:
        folder: the folder of the search, which the machines share.
        chief: the address of the chief, `HOST:PORT`.
        workers: the number of workers.

    Raises:
        UnreachableError: no chief answers at the address.
        SearchError: the chief has been silent for a minute, or the workers die again and again.
        AEZooError: the folder holds no search, or a damaged one, or the address is no address.
    """
    Settings.read(folder)
    host, port = address(chief)
    if not _answers(host, port):
        raise UnreachableError(
            f"No chief answers at {chief}; start the search there first, with --chief {chief} and this folder."
        )
    crew = Crew(folder, host, port, workers, leads=False)
    spent, since = None, time.perf_counter()
    crew.start()
    try:
        while not crew.finished:
            time.sleep(POLL)
            if Clock(folder, None).finished:
                return
            crew.mend()
            now = Clock(folder, None).before
            if now != spent:
                spent, since, crew.deaths = now, time.perf_counter(), 0
            elif time.perf_counter() - since > SILENCE:
                raise SearchError(f"The chief at {chief} has been silent for {SILENCE:.0f} s; is it still running?")
    finally:
        crew.stop()


def address(text: str) -> tuple[str, int]:
    """Returns the host and the port in `HOST:PORT`; raises `AEZooError` for any other text."""
    host, _, port = text.rpartition(":") if isinstance(text, str) else ("", "", "")
    if not host or not port.isascii() or not port.isdigit() or len(port) > 5 or not 0 < int(port) < 65536:
        raise AEZooError(f"An address is HOST:PORT, such as 10.0.0.5:8000; received {text!r}.")
    return host, int(port)


def _tell(trials: Trials, seed: int, view: View) -> bool:
    """Shows new results and what is running; returns True if there were new results."""
    new = [result for result in map(trials.find, trials.keys() - view.seen) if result is not None]
    found = sorted((result for result in new if result.seed == seed and result.final), key=lambda r: r.number)
    for result in found:
        view.done(result)
    if found:
        trials.prune()
        keep_best(trials, seed)
    notes = _notes(trials.folder)
    if notes:
        first = next(iter(notes.values()))
        view.running(Candidate(**first.candidate), first.epoch, first.epochs, len(notes) - 1)
    return bool(found)


def _notes(folder: pathlib.Path) -> dict[str, Life]:
    """Returns the signs of life of the trials that are running, by key."""
    paths = sorted((folder / "running").glob("*.json"))
    notes = {path.stem: kept.read(path, Life, "delete it") for path in paths}
    return {key: note for key, note in notes.items() if note is not None}  # others have just ended


def _silent(notes: dict[str, Life], crew: Crew, beats: dict[str, tuple[int, float]]) -> bool:
    """Returns True if a worker of another machine gives no sign of life; its note is removed, so its trial runs again."""
    now, silent = time.perf_counter(), False
    for key, note in notes.items():
        if note.owner in crew.names:
            continue
        if key not in beats or beats[key][0] != note.beat:
            beats[key] = note.beat, now
        elif now - beats[key][1] > SILENCE:
            (crew.folder / "running" / f"{key}.json").unlink(missing_ok=True)
            silent = True
    return silent


def _cores() -> int:
    """Returns how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


def _answers(host: str, port: int) -> bool:
    """Returns True if a process accepts connections at an address, now or when it has started."""
    end = time.monotonic() + ARRIVAL
    while True:
        with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=max(ARRIVAL, POLL)):
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(POLL)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
