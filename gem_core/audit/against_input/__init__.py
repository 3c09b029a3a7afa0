"""The output beside the file that the job was given."""
