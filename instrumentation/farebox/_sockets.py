"""Watch the WebSockets that an OpenAI client opens, realtime and responses among them, without a change to any class.

The SDK opens a socket in `connect()` of a resource, through `_connect_ws` of the manager that it returns. Both are
replaced on the instance, so reconnects are seen too. Importing the resources takes the SDK up to a second, so until its
caller asks for one, a stand-in waits in its place on the client and gives way at the first use.
Read in openai 3.54 (`resources/{realtime,responses,live,beta}`) and websockets 15.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

from farebox._guard import swallow
from farebox._socket_log import SocketLog, SocketState

__all__ = ["unwatch_sockets", "watch_sockets", "watched_resources"]

# The resources of a client that open sockets → those below them that do.
_RESOURCES = {
    "beta": ("realtime", "responses"),
    "live": ("forks", "sideband"),
    "realtime": ("translations",),
    "responses": (),
}
_OPTIONS = "__websocket_connection_options"


def watch_sockets(client: Any, state: SocketState) -> None:
    """Record what comes through the sockets that this client opens; nothing where `websockets` is not installed."""
    if type(client).__module__.partition(".")[0] != "openai" or not _websockets_installed():
        return
    for name in _RESOURCES:
        if not isinstance(inspect.getattr_static(type(client), name, None), functools.cached_property):
            continue
        found = vars(client).get(name)
        if found is None:
            vars(client)[name] = _StandIn(client, name, state)
        else:
            _watch_resource(found, name, state)


def watched_resources() -> Iterator[str]:
    """Yield the dotted names of the resources whose sockets are watched."""
    for name, below in _RESOURCES.items():
        if name != "beta":
            yield name
        yield from (f"{name}.{each}" for each in below)


@functools.cache
def _websockets_installed() -> bool:
    return find_spec("websockets") is not None


def unwatch_sockets(client: Any) -> None:
    """Leave the client as it was; sockets that are open stay watched."""
    for name, below in _RESOURCES.items():
        found = vars(client).get(name)
        if issubclass(type(found), _StandIn):
            del vars(client)[name]
        elif found is not None:
            for resource in (found, *(vars(found).get(each) for each in below)):
                if resource is not None:
                    vars(resource).pop("connect", None)


class _StandIn:
    """Stands where a resource will be: whatever is asked of it, the resource answers, and takes its place."""

    __slots__ = ("_farebox_client", "_farebox_found", "_farebox_name", "_farebox_state")

    def __init__(self, client: Any, name: str, state: SocketState) -> None:
        object.__setattr__(self, "_farebox_client", client)
        object.__setattr__(self, "_farebox_name", name)
        object.__setattr__(self, "_farebox_state", state)
        object.__setattr__(self, "_farebox_found", None)

    def __getattr__(self, name: str) -> Any:
        return getattr(_resource_of(self), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_resource_of(self), name, value)

    def __repr__(self) -> str:
        return repr(_resource_of(self))

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(_resource_of(self))


def _resource_of(waiting: _StandIn) -> Any:
    if waiting._farebox_found is not None:
        return waiting._farebox_found
    client, name = waiting._farebox_client, waiting._farebox_name
    if vars(client).get(name) is waiting:
        vars(client).pop(name, None)
    resource = getattr(client, name)
    object.__setattr__(waiting, "_farebox_found", resource)
    try:
        _watch_resource(resource, name, waiting._farebox_state)
    except Exception as error:  # noqa: BLE001
        swallow("watching a resource", error)
    return resource


def _watch_resource(resource: Any, name: str, state: SocketState) -> None:
    for each in (resource, *(getattr(resource, below, None) for below in _RESOURCES[name])):
        connect = getattr(type(each), "connect", None)
        if connect is not None:
            vars(each)["connect"] = _watching(connect.__get__(each), state)


def _watching(original: Callable[..., Any], state: SocketState) -> Callable[..., Any]:
    @functools.wraps(original)
    def connect(*args: Any, **kwargs: Any) -> Any:
        manager = original(*args, **kwargs)
        try:
            _watch_manager(manager, state)
        except Exception as error:  # noqa: BLE001
            swallow("watching a socket", error)
        return manager

    return connect


def _watch_manager(manager: Any, state: SocketState) -> None:
    """Let each socket that the manager opens be watched, with the context in which it was asked for."""
    opened = functools.partial(_watch_socket, log=functools.partial(SocketLog, state, _url_type(manager)))
    connect = getattr(manager, "_connect_ws", None)
    if connect is None:  # the older realtime API, and older SDKs
        _watch_options(manager, opened)
    elif inspect.iscoroutinefunction(connect):

        async def connect_async(*args: Any, **kwargs: Any) -> Any:
            return opened(await connect(*args, **kwargs))

        manager._connect_ws = connect_async
    else:
        manager._connect_ws = lambda *args, **kwargs: opened(connect(*args, **kwargs))


def _watch_options(manager: Any, opened: Callable[..., Any]) -> None:
    """Let the `websockets` library make the connection by a function that watches it; the caller's options stay."""
    for name, given in list(vars(manager).items()):
        if name.endswith(_OPTIONS):
            create = given.get("create_connection") or _connection_type(manager)

            def made(*args: Any, create: Any = create, **kwargs: Any) -> Any:
                return opened(create(*args, **kwargs))

            vars(manager)[name] = _Options(given, made)


class _Options(dict[str, Any]):
    """A caller's socket options and one of ours; empty ones stay false, since the SDK logs whether there are any."""

    def __init__(self, given: dict[str, Any], create: Callable[..., Any]) -> None:
        super().__init__({**given, "create_connection": create})
        self._given = bool(given)

    def __bool__(self) -> bool:
        return self._given


def _connection_type(manager: Any) -> Any:
    if hasattr(type(manager), "__aenter__"):
        from websockets.asyncio.client import ClientConnection as AsyncConnection

        return AsyncConnection
    from websockets.sync.client import ClientConnection

    return ClientConnection


def _url_type(manager: Any) -> Any:
    """Return the URL class of the HTTP library that the manager's client uses."""
    client = next(value for name, value in vars(manager).items() if name.endswith("__client"))
    return type(client.base_url)


def _watch_socket(socket: Any, *, log: Callable[[Any], SocketLog]) -> Any:
    """Note what goes through a socket; returns the same socket."""
    try:
        noted = log(weakref.ref(socket))
        watch = _watch_async if inspect.iscoroutinefunction(type(socket).recv) else _watch_sync
        watch(socket, weakref.ref(socket), noted)
    except Exception as error:  # noqa: BLE001
        swallow("watching a socket", error)
    return socket


def _watch_sync(socket: Any, reference: Callable[[], Any], log: SocketLog) -> None:
    # A reference that is weak, since the socket holds these functions: it is freed as without them.
    receive, send, close = (getattr(type(socket), name) for name in ("recv", "send", "close"))

    @functools.wraps(receive)
    def recv(*args: Any, **kwargs: Any) -> Any:
        try:
            message = receive(reference(), *args, **kwargs)
        except Exception as error:
            log.failed(error)
            raise
        log.received(message)
        return message

    @functools.wraps(send)
    def send_noting(message: Any, *args: Any, **kwargs: Any) -> Any:
        log.sent(message)
        try:
            return send(reference(), message, *args, **kwargs)
        except Exception as error:
            log.failed(error)
            raise

    @functools.wraps(close)
    def close_noting(*args: Any, **kwargs: Any) -> Any:
        log.closed()
        return close(reference(), *args, **kwargs)

    vars(socket).update(recv=recv, send=send_noting, close=close_noting)


def _watch_async(socket: Any, reference: Callable[[], Any], log: SocketLog) -> None:
    receive, send, close = (getattr(type(socket), name) for name in ("recv", "send", "close"))

    @functools.wraps(receive)
    async def recv(*args: Any, **kwargs: Any) -> Any:
        try:
            message = await receive(reference(), *args, **kwargs)
        except Exception as error:
            log.failed(error)
            raise
        log.received(message)
        return message

    @functools.wraps(send)
    async def send_noting(message: Any, *args: Any, **kwargs: Any) -> Any:
        log.sent(message)
        try:
            return await send(reference(), message, *args, **kwargs)
        except Exception as error:
            log.failed(error)
            raise

    @functools.wraps(close)
    async def close_noting(*args: Any, **kwargs: Any) -> Any:
        log.closed()
        return await close(reference(), *args, **kwargs)

    vars(socket).update(recv=recv, send=send_noting, close=close_noting)
