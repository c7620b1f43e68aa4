# Fills a volume as a web application's users do over the years. Runs in the volume, as root.
mkdir -p photos/2025/{01..06} photos/2026/{01..04} thumbnails documents/private 'documents/für später' incoming .cache

for month in photos/*/*/; do
  for number in 1 2 3; do head -c $((40000 + RANDOM)) /dev/urandom >"${month}IMG_000$number.jpg"; done
done
for photo in photos/2026/*/IMG_0001.jpg; do ln "$photo" "thumbnails/$(echo "$photo" | tr / -)"; done # one file, two names
ln -s ../photos/2026/04/IMG_0003.jpg thumbnails/latest
ln -s /srv/shop/uploads documents/absolute

for number in {1..60}; do printf 'Invoice %s\nTotal: %s.00 €\n' $number $((number * 37)) >"documents/invoice $number.txt"; done
echo 'naïve café' >'documents/für später/Größe – 備份.txt'
echo 'not for everybody' >documents/private/contract.txt
printf '#!/bin/sh\necho resized\n' >documents/resize.sh
: >incoming/.keep
touch -d '2019-12-31 23:59:59.5 UTC' documents/invoice\ *.txt

chown -hR 33:33 . # www-data
chown 1000:1000 documents/resize.sh
chmod 2775 photos photos/*/ photos/*/*/
chmod 0700 documents/private
chmod 0600 documents/private/contract.txt
chmod 0755 documents/resize.sh
chmod 1777 incoming
chmod 0440 'documents/invoice 1.txt'
