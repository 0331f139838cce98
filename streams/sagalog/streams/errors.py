"""What can go wrong between this process and the log.

LogError
├── LogUnavailable     the broker or file cannot be reached; trying again later may help
├── TopicMissing       a topic is not there, or has the wrong number of partitions
├── RecordTooLarge     the log refuses a record of this size; nothing was appended
├── OffsetLost         the log no longer holds, or never held, the offset asked for
├── Fenced             another owner has taken the partition; this one may not write
└── LogOwned           another process owns the embedded log
"""


class LogError(Exception):
    """The root of what a log may raise."""


class LogUnavailable(LogError):
    """The log cannot be reached now."""


class TopicMissing(LogError):
    """A topic is missing, or is not as the app needs it; the message says what to run."""


class RecordTooLarge(LogError):
    """A record is over the log's limit. Nothing of its batch was appended."""


class OffsetLost(LogError):
    """The log does not hold the offset that a reader asked for."""


class Fenced(LogError):
    """A newer owner has fenced this one's checkpoints."""


class LogOwned(LogError):
    """Another process owns the embedded log; the message says which."""
