"""The reference stack: FastAPI + pymongo's AsyncMongoClient + JWT, multi-tenant ticketing.

Written the way a competent engineer would write it in a day: tenant filter in
every query, compound indexes, pydantic in and out, and every write in one
transaction with its audit event. SEED_AUDIT=0 drops the event and the transaction.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import jwt
from bson import ObjectId
from bson.errors import InvalidId
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field
from pymongo import AsyncMongoClient, ReturnDocument

SECRET = os.environ.get("SEED_SECRET", "benchmark-secret-benchmark-secret-0123456789")
AUDIT = os.environ.get("SEED_AUDIT", "1") == "1"
COUNT = os.environ.get("SEED_COUNT", "1") == "1"

Status = Literal["open", "in_progress", "pending", "resolved", "closed"]
Priority = Literal["low", "medium", "high", "critical"]


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.client = AsyncMongoClient(os.environ["SEED_MONGO_URI"], tz_aware=True)
    app.state.db = app.state.client[os.environ["SEED_DB"]]
    yield
    await app.state.client.close()


app = FastAPI(lifespan=lifespan)
bearer = HTTPBearer()


class Claims(BaseModel):
    sub: str
    role: str
    tenant: str


async def claims(cred: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> Claims:
    try:
        return Claims(**jwt.decode(cred.credentials, SECRET, algorithms=["HS256"]))
    except (jwt.PyJWTError, ValueError):
        raise HTTPException(401, "invalid token") from None


User = Annotated[Claims, Depends(claims)]


class Login(BaseModel):
    email: str
    password: str


class TicketIn(BaseModel):
    title: str = Field(min_length=1, max_length=200)
    description: str = Field(max_length=20_000)
    priority: Priority = "medium"
    category: str = "other"
    assignee: str | None = None


class TicketPatch(BaseModel):
    title: str | None = Field(None, min_length=1, max_length=200)
    description: str | None = None
    status: Status | None = None
    priority: Priority | None = None
    category: str | None = None
    assignee: str | None = None


class CommentIn(BaseModel):
    body: str = Field(min_length=1, max_length=20_000)
    internal: bool = False


class TicketOut(BaseModel):
    id: str
    title: str
    description: str
    status: Status
    priority: Priority
    category: str
    requester: str
    assignee: str | None
    created_at: datetime
    updated_at: datetime


class CommentOut(BaseModel):
    id: str
    author: str
    body: str
    internal: bool
    created_at: datetime


class TicketDetail(TicketOut):
    comments: list[CommentOut]


class Page(BaseModel):
    items: list[TicketOut]
    total: int | None
    page: int


class Stats(BaseModel):
    status: dict[str, int]
    priority: dict[str, int]
    category: dict[str, int]


def out(doc: dict) -> dict:
    doc["id"] = str(doc.pop("_id"))
    return doc


def oid(value: str) -> ObjectId:
    try:
        return ObjectId(value)
    except InvalidId:
        raise HTTPException(404, "no such ticket") from None


async def write(request: Request, user: Claims, action: str, ticket_id: ObjectId, change, details: dict):
    """Runs change(session), with the audit event, in one transaction."""
    db = request.app.state.db
    if not AUDIT:
        return await change(None)

    async def body(session):
        result = await change(session)
        await db.events.insert_one(
            {
                "tenant_id": user.tenant,
                "ticket_id": ticket_id,
                "actor": user.sub,
                "action": action,
                "details": details,
                "at": datetime.now(UTC),
            },
            session=session,
        )
        return result

    async with request.app.state.client.start_session() as session:
        return await session.with_transaction(body)


@app.post("/auth/login")
async def login(request: Request, data: Login):
    user = await request.app.state.db.users.find_one({"email": data.email})
    digest = hashlib.scrypt(data.password.encode(), salt=user["salt"], n=2**14, r=8, p=1) if user else b""
    if not user or digest != user["hash"]:
        raise HTTPException(401, "wrong email or password")
    token = jwt.encode(
        {
            "sub": str(user["_id"]),
            "role": user["role"],
            "tenant": user["tenant_id"],
            "exp": datetime.now(UTC) + timedelta(hours=12),
        },
        SECRET,
        algorithm="HS256",
    )
    return {"access_token": token, "token_type": "bearer"}


@app.get("/tickets", response_model=Page)
async def list_tickets(
    request: Request,
    user: User,
    status: Status | None = None,
    priority: Priority | None = None,
    assignee: str | None = None,
    q: str | None = None,
    page: Annotated[int, Query(ge=1)] = 1,
    before: datetime | None = None,
):
    tickets = request.app.state.db.tickets
    where: dict = {"tenant_id": user.tenant}
    filters = {"status": status, "priority": priority, "assignee": assignee}
    where |= {key: value for key, value in filters.items() if value is not None}
    if q:
        where["$text"] = {"$search": q}
    total = await tickets.count_documents(where) if COUNT and not q and before is None else None
    if before is not None:
        where["created_at"] = {"$lt": before}
    cursor = tickets.find(where).sort([("created_at", -1)]).skip((page - 1) * 50).limit(50)
    return {"items": [out(doc) async for doc in cursor], "total": total, "page": page}


@app.get("/tickets/stats", response_model=Stats)
async def stats(request: Request, user: User):
    found: dict = {"status": {}, "priority": {}, "category": {}}
    cursor = await request.app.state.db.tickets.aggregate(
        [
            {"$match": {"tenant_id": user.tenant}},
            {
                "$group": {
                    "_id": {"status": "$status", "priority": "$priority", "category": "$category"},
                    "n": {"$sum": 1},
                }
            },
        ],
        hint="stats",
    )
    async for row in cursor:
        for key, value in row["_id"].items():
            found[key][value] = found[key].get(value, 0) + row["n"]
    return found


@app.post("/tickets", response_model=TicketOut, status_code=201)
async def create_ticket(request: Request, user: User, data: TicketIn):
    now = datetime.now(UTC)
    doc = {
        "_id": ObjectId(),
        "tenant_id": user.tenant,
        **data.model_dump(),
        "status": "open",
        "requester": user.sub,
        "created_at": now,
        "updated_at": now,
    }
    await write(
        request,
        user,
        "created",
        doc["_id"],
        lambda s: request.app.state.db.tickets.insert_one(doc, session=s),
        {"title": data.title},
    )
    return out(doc)


@app.get("/tickets/{ticket_id}", response_model=TicketDetail)
async def get_ticket(request: Request, user: User, ticket_id: str):
    db, key = request.app.state.db, oid(ticket_id)
    doc = await db.tickets.find_one({"_id": key, "tenant_id": user.tenant})
    if doc is None:
        raise HTTPException(404, "no such ticket")
    comments = await db.comments.find({"tenant_id": user.tenant, "ticket_id": key}).sort("created_at", 1).to_list()
    return {**out(doc), "comments": [out(c) for c in comments]}


@app.patch("/tickets/{ticket_id}", response_model=TicketOut)
@app.put("/tickets/{ticket_id}", response_model=TicketOut)
async def update_ticket(request: Request, user: User, ticket_id: str, data: TicketPatch):
    key, changes = oid(ticket_id), data.model_dump(exclude_unset=True)

    async def change(session):
        doc = await request.app.state.db.tickets.find_one_and_update(
            {"_id": key, "tenant_id": user.tenant},
            {"$set": {**changes, "updated_at": datetime.now(UTC)}},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if doc is None:
            raise HTTPException(404, "no such ticket")
        return doc

    return out(await write(request, user, "updated", key, change, changes))


@app.post("/tickets/{ticket_id}/comments", response_model=CommentOut, status_code=201)
async def add_comment(request: Request, user: User, ticket_id: str, data: CommentIn):
    db, key, now = request.app.state.db, oid(ticket_id), datetime.now(UTC)
    doc = {
        "_id": ObjectId(),
        "tenant_id": user.tenant,
        "ticket_id": key,
        "author": user.sub,
        "body": data.body,
        "internal": data.internal,
        "created_at": now,
    }

    async def change(session):
        found = await db.tickets.update_one(
            {"_id": key, "tenant_id": user.tenant}, {"$set": {"updated_at": now}}, session=session
        )
        if not found.matched_count:
            raise HTTPException(404, "no such ticket")
        await db.comments.insert_one(doc, session=session)

    await write(request, user, "commented", key, change, {"internal": data.internal})
    return out(doc)
