"""What is wrong with datasets: known blemishes, and rules that find others."""
