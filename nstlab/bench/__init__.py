"""How fast this machine is at it: our evaluation, the textbook loop, and what the hardware allows.

`textbook` is the loop to compare with and `sequential` its network, `problem` what both go down,
`clock` how blocks are timed in turns, `ceiling` and `layers` what the convolutions could reach and
do reach, `timing` and `memory` the two figures that count, and `rows` all of them for one encoder
and size. `nstlab bench` shows them.
"""
