"""How a pod works."""

from dataclasses import dataclass, field

from sagalog.streams.processes import cores


@dataclass(frozen=True, slots=True)
class PodSettings:
    """How a pod works. Durations in seconds.

    `slots` bounds the handlers in flight, `threads` those of them that are plain
    functions, `processes` those that are declared for a process: by default as many as there
    are cores; with 0 they run in threads. `checkpoint_interval` is the most that a restart
    folds again. On giving a partition up, running handlers have `give_up_timeout` to end.
    `beat_interval` lies between two words in the log that it is there, 0 for none.
    A call's progress is told at most once in `progress_interval`.
    """

    slots: int = 256
    threads: int = 32
    processes: int = field(default_factory=cores)
    checkpoint_interval: float = 1.0
    give_up_timeout: float = 5.0
    forget_interval: float = 10.0
    recover_interval: float = 5.0
    beat_interval: float = 0.0
    progress_interval: float = 1.0
