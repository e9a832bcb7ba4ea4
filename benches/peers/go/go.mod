module paperflow-peers/channels

go 1.22
