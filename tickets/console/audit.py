"""What the audit log calls what happens to tickets' data as a whole."""

from django.utils.translation import gettext_lazy

from accounts.console.audit import FIELDS, KINDS, PAGES, Kind

KINDS |= {
    "privacy": Kind(
        gettext_lazy("Holds, erasures, retention"),
        {
            "hold.placed": gettext_lazy("Legal hold placed"),
            "hold.lifted": gettext_lazy("Legal hold lifted"),
            "user.erased": gettext_lazy("Erasure asked for"),
            "user.erasure_finished": gettext_lazy("Erasure finished"),
            "retention.applied": gettext_lazy("Retention applied"),
        },
    ),
    "exports": Kind(
        gettext_lazy("Exports and backups"),
        {
            "export.requested": gettext_lazy("Export asked for"),
            "export.downloaded": gettext_lazy("Export downloaded"),
            "export.removed": gettext_lazy("Export removed"),
            "tenant.exported": gettext_lazy("Everything exported"),
            "tenant.import_started": gettext_lazy("Import begun"),
            "tenant.imported": gettext_lazy("Import finished"),
            "backup.made": gettext_lazy("Backup made"),
            "backup.restored": gettext_lazy("Backup restored"),
        },
    ),
}
PAGES |= {"ticket": "console:tickets_ticket_change"}
FIELDS |= {
    "tickets": gettext_lazy("Tickets"),
    "comments": gettext_lazy("Comments"),
    "attachments": gettext_lazy("Files"),
    "users": gettext_lazy("Accounts"),
    "content": gettext_lazy("Text and files too"),
    "exported_from": gettext_lazy("Exported from"),
    "place": gettext_lazy("Place"),
}
