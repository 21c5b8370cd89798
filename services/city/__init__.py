"""The city's youth service: it receives referrals, answers them, and names pathway referents."""
