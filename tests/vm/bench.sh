# Medik's link beside a plain loop over libusb, both over the same virtual device: four measurements each, as ratios of the best.
bench-usb device 3240 &
cable 0
wait_for 20 has_ids 0 0e8d:2000
for turn in 1 2; do
    bench-usb plain 1-1 | tee -a /tmp/speeds
    bench-usb link 1-1 | tee -a /tmp/speeds
done
awk '{ if ($3 > best[$1 $2]) best[$1 $2] = $3 }
     END {
         good = 1
         split("reading writing", words, " ")
         split("R W", ways, " ")
         for (i = 1; i <= 2; i++) {
             ratio = best["link" ways[i]] / best["plain" ways[i]]
             reached = ratio >= 0.9
             good = good && reached
             printf "# %-58s %9.0f %%   wanted %-10s %s\n", words[i] " over USB, of a plain libusb loop", 100 * ratio, "90 %",
                 reached ? "ok" : "NOT REACHED"
             printf "#   (%.1f MB/s of %.1f MB/s, in software emulation)\n", best["link" ways[i]], best["plain" ways[i]]
         }
         print good ? "# bench: reached" : "# bench: not reached"
     }' /tmp/speeds
