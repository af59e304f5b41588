"""multicanal: one JSON API to send and follow e-mails, SMS, postal letters and faxes."""
