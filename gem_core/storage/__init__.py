"""Our own state in Azure Storage: documents, Azure's clients, and what storage's errors mean."""
