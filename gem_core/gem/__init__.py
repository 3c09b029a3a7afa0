"""The remote service: its words (`job`, `percent`), one method a request (`client`), its token."""
