"""The app's state in Azure Storage: documents, queues, Azure's clients and storage's errors."""
