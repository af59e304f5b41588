"""Efidem, the provider behind the multichannel SOAP service."""
