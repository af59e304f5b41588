"""AJOUTER_UTILISATEUR and ENLEVER_UTILISATEUR: the accounts of the provider's console.

A name may ask for a behaviour, as an e-mail's local part does.
"""

import asyncio

from app.providers.efidem.simulator import codes
from app.providers.efidem.simulator.accepting import SLOW_ANSWER
from app.providers.efidem.simulator.behaviours import Behaviour, for_email
from app.providers.efidem.simulator.call import Call
from app.providers.efidem.simulator.simulation import Reply, Silence, Simulation

_DONE = "1"  # the document tells no code for success
_REFUSED = "-99"


async def add(call: Call, simulation: Simulation) -> Reply:
    """Create the user, with the second of the two passwords."""
    if refusal := codes.first_code(codes.AJOUTER_UTILISATEUR, call):
        return refusal.code
    name = call.text("NOM_UTILISATEUR")
    behaviour = for_email(name)
    if behaviour is Behaviour.NOT_SENT:
        return Silence.CONNECTION_CUT
    if behaviour is Behaviour.REJECTED or name in simulation.users:
        return _REFUSED
    simulation.users[name] = call.exact("MOT_DE_PASSE_UTILISATEUR")
    return await _answered(behaviour, simulation)


async def remove(call: Call, simulation: Simulation) -> Reply:
    """Delete the user."""
    if refusal := codes.first_code(codes.ENLEVER_UTILISATEUR, call):
        return refusal.code
    name = call.text("NOM_UTILISATEUR")
    behaviour = for_email(name)
    if behaviour is Behaviour.NOT_SENT:
        return Silence.CONNECTION_CUT
    if simulation.users.pop(name, None) is None:
        return _REFUSED
    return await _answered(behaviour, simulation)


async def _answered(behaviour: Behaviour, simulation: Simulation) -> Reply:
    if behaviour is Behaviour.LOST:
        return Silence.CONNECTION_CUT
    if behaviour is Behaviour.SLOW:
        await asyncio.sleep(SLOW_ANSWER * simulation.pace)
    return _DONE
