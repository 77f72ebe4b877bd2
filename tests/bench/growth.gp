# The figures of the part growth. data, kinds and out are given with -e.
set terminal svg size 720,440 font "sans-serif,13" background "white"
set output out
set logscale xy
set xlabel "events in the log"
set ylabel "a second"
set format x "%.0s %c"
set format y "%.0s %c"
set grid
set key outside right
set offsets graph 0.05, graph 0.05, 0, 0
plot for [kind = 2:kinds + 1] data using 1:kind with linespoints lw 2 pt 7 ps 0.6 \
    title columnheader(kind)
