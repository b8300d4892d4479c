"""The journal: keeps streams, so that they outlive the process that began them and the programs that read
them.

After a crash, a stream is the list of the frames that were delivered. So each frame is **written before it is
delivered**. Frames are numbered from 1, and the turn is made from them. What the frames don't say is stored
beside them: the request, the attempts and limits so far (`progress`), and how the stream ended. The replies
of the upstream are not stored, nor is any state of the code that joins them, so a later release may join
differently.

One process at a time may write a stream. It holds a **lease** with an *epoch*, a number that rises whenever
another process takes over. Each write compares the epoch in its transaction. So a process that was suspended
and wakes after another has continued the stream writes nothing, and gets an exception. A lease ends if it is
not renewed within its time to live, or if the process that holds it is known to be dead.

A stream that is taken over is treated as one whose current attempt failed with `reset`. How it is finished,
refused or continued is then decided as usual.

`entries` has the data types, `lease` and `cursor` the rules, and `store` what a store must do; `sqlite` and
`redis` obey the same laws. `group` commits what several streams want to write together. `progress` turns a
machine into a record and back. `keeper` writes one stream, `follow` reads one, and `journal` puts them
together. `scope` carries a key from a program to its client.
"""
