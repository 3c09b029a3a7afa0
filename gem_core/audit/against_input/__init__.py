"""The output beside the input file of the job."""
