"""The reference: FastAPI on Lambda through Mangum, answering one page of a tenant's tickets to a signed-in user."""

import os
from datetime import datetime
from typing import Annotated

import jwt
from bson import ObjectId
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from mangum import Mangum
from pydantic import BaseModel
from pymongo import MongoClient

app = FastAPI()
database = MongoClient(os.environ["MONGODB_URI"], maxPoolSize=4, serverSelectionTimeoutMS=3000)[
    os.environ["MONGODB_DATABASE"]
]
FIELDS = ("number", "title", "status", "priority", "created_at", "updated_at")


class Ticket(BaseModel):
    id: str
    number: int
    title: str
    status: str
    priority: str
    created_at: datetime
    updated_at: datetime


class Page(BaseModel):
    data: list[Ticket]


def tenant_of(credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> str:
    try:
        claims = jwt.decode(credentials.credentials, os.environ["SECRET_KEY"], algorithms=["HS256"], issuer="ticketing")
    except jwt.InvalidTokenError as error:
        raise HTTPException(401, "The token is not valid") from error
    return str(claims["tenant"])


@app.get("/api/v1/tickets")
def list_tickets(tenant: Annotated[str, Depends(tenant_of)], limit: int = 50) -> Page:
    found = database["tickets"].find(
        {"tenant_id": ObjectId(tenant)}, dict.fromkeys(FIELDS, 1), sort={"_id": -1}, limit=limit
    )
    return Page(data=[Ticket(id=str(each.pop("_id")), **each) for each in found])


handler = Mangum(app, lifespan="off")
