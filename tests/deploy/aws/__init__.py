"""AWS for the deployment test: moto, and what it does not do by itself.

`server.py` is a process of its own: moto behind a WSGI middleware on one port, a REST API's public address on another.
`mends.py` answers what moto answers wrongly, `functions.py` runs the code that moto stored, `runtime.py` is what runs
inside such a process, `gateway.py` turns HTTP into the events of API Gateway. Neither moto nor zappa is patched.
"""
