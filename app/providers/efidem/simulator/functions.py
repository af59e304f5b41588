"""The functions that the simulator serves, by the provider's names."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from app.providers.efidem.simulator.accepting import send
from app.providers.efidem.simulator.call import Call
from app.providers.efidem.simulator.following import follow
from app.providers.efidem.simulator.sending import SENDINGS
from app.providers.efidem.simulator.simulation import Reply, Simulation
from app.providers.efidem.simulator.statuses import FOLLOWINGS
from app.providers.efidem.simulator.tools import TOOLS, use
from app.providers.efidem.simulator.users import add, remove

Serve = Callable[[Call, Simulation], Awaitable[Reply]]

FUNCTIONS: Mapping[str, Serve] = {
    **{sending.function: partial(send, sending) for sending in SENDINGS},
    **{following.function: partial(follow, following) for following in FOLLOWINGS},
    **{tool.function: partial(use, tool) for tool in TOOLS},
    "AJOUTER_UTILISATEUR": add,
    "ENLEVER_UTILISATEUR": remove,
}
