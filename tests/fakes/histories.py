"""A workflow's history put together by hand, as far as anybody reads what its activities were told."""

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from workflows.payloads import CONVERTER


class Run:
    """One run; `did` adds an activity that completed, failed for good, or is still under way."""

    def __init__(self, workflow_id):
        self.workflow_id = workflow_id
        self.events = [HistoryEvent(event_id=1)]

    def did(self, activity, argument, ended="completed"):
        number = len(self.events) + 1
        scheduled = HistoryEvent(event_id=number)
        told = scheduled.activity_task_scheduled_event_attributes
        told.activity_type.name = activity
        told.input.payloads.extend(CONVERTER.payload_converter.to_payloads([argument]))
        self.events.append(scheduled)
        if ended:
            end = HistoryEvent(event_id=number + 1)
            getattr(end, f"activity_task_{ended}_event_attributes").scheduled_event_id = number
            self.events.append(end)
        return self

    def history(self):
        return WorkflowHistory(self.workflow_id, self.events)
