"""Delivery: the message (`manifest`), what is stored before it is sent (`outbox`), the queues."""
