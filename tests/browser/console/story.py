"""What acme's console has to show: every status and priority, long names, a thread in Markdown, files."""

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.cast import actor_of
from tests.isolation.world import World
from ticketing.mongo import ObjectId
from tickets.attachments.services import add_attachment
from tickets.conversation.services import add_comment
from tickets.services import change_ticket, open_ticket
from tickets.stats.services import fold_all

_TITLES = {
    "VPN drops every hour": ("high", "open"),
    "New laptop for Greta": ("low", "pending"),
    "Password forgotten again, and the second one on the yellow note under the keyboard": ("urgent", "open"),
    "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz.pdf cannot be opened": ("normal", "on_hold"),
    "Where is the coffee machine?": ("low", "resolved"),
    "The badge opens no door": ("normal", "closed"),
}
_ANSWER = """# What I did

I have installed **another driver**. Please try:

1. `lpstat -p`
2. Then print [the test page](https://example.com/a-very-long-address/of-a-page/that-does-not-break?at=all)

> PC LOAD LOVE

| tray | paper |
| ---- | ----- |
| 1    | A4    |

```
lp -d floor-3 -o media=A4 -o sides=two-sided-long-edge -o ColorModel=Gray --a-long-line-of-code-that-scrolls testpage.ps
```
"""


def tell(world: World) -> None:
    cast, ticket_id = world.cast, ObjectId(world.own.ticket)
    carla, amir, ada = actor_of(cast.carla), actor_of(cast.amir), actor_of(cast.ada)
    add_comment(amir, ticket_id, _ANSWER)
    add_comment(ada, ticket_id, "Carla sounded *cross* on the phone.", "internal")
    photo = SimpleUploadedFile("floor-3-printer-with-hearts-on-every-single-page.txt", b"hearts", "text/plain")
    add_attachment(carla, ticket_id, photo)
    for position, (title, (priority, status)) in enumerate(_TITLES.items()):
        ticket = open_ticket(actor_of(cast.carl), title=title, priority=priority)
        changes = {"assigned_to": (cast.ada if position % 2 else cast.amir).pk, "tags": ["floor-3", "hardware"]}
        change_ticket(ada, ticket["_id"], changes)
        for step in dict.fromkeys(("open", status)):
            change_ticket(ada, ticket["_id"], {"status": step})
    fold_all(cast.acme.pk)
