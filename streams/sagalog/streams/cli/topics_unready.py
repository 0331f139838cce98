"""Why a pod cannot start on the topics that there are, and which command helps."""

from sagalog.schemas.topics import Topics
from sagalog.streams.cli.reporting import Code, Complaint
from sagalog.streams.errors import LogError
from sagalog.streams.log import Log
from sagalog.streams.opening import embedded
from sagalog.streams.topics import differences, found_topics, partitions_of


async def unready(log: Log, app: str, url: str, error: LogError) -> Complaint:
    """What is to be said when a pod met `error` at its start."""
    found = await found_topics(log, app)
    specs = Topics(app).specs(partitions_of(app, found) or 1)
    wrong = [one for one in differences(specs, found) if one.kind != "setting"]
    if not wrong:
        return Complaint(str(error), Code.TOPICS)
    where = f"{app}" if embedded(url) else f"{app} --url {url}"
    if len(found) == 0:
        said = f"{url} has no topics of {app} yet"
        return Complaint(f"{said}. Run `sagalog topics create {where}`", Code.TOPICS)
    more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    command = "create" if all(one.kind == "missing" for one in wrong) else "check"
    said = f"{wrong[0].sentence()}{more}"
    return Complaint(f"{said}. Run `sagalog topics {command} {where}`", Code.TOPICS)
