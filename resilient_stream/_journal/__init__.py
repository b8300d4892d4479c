"""The journal: a stream that outlives the process that began it, and the reader that reads it.

What a stream is, after a crash, is the list of the frames that were handed over. So each frame is **written
before it is handed over**, numbered from 1, and the turn is what the frames fold to. What the frames do not
tell goes beside them: the request, the attempts and limits so far (`progress`), and how it ended. Nothing of
the upstream's answers is kept, and no state of the code that joins them: a later release may join otherwise.

One process at a time may write a stream. It holds a **lease**, which has an *epoch*, a number that rises
whenever somebody else takes over. The epoch is compared in the transaction of every write, so a process that
was suspended, and wakes when another has gone on, writes nothing and is told so. A lease ends when it has not
been renewed for its time to live, or when the process that holds it is known to be dead.

A stream that was taken up is a stream whose running attempt has failed with `reset`: finishing it, blocking
it and continuing it are then what they always are.

`entries` has the words, `lease` and `cursor` the rules, `store` what a store must do: the same laws hold for
`sqlite` and `redis`. `group` commits what several streams want to write together. `progress` turns a machine
into a record and back. `keeper` writes one stream, `follow` reads one, `journal` puts them together. `scope`
carries a key from a program to its client.
"""
