#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# info and view on the data that ship.
. "$(dirname "$0")/lib.sh"
relief=$source_dir/jobs/data/relief10.nc
sst=$source_dir/jobs/data/sst_monthly.nc

# $1 the file; prints "WIDTH HEIGHT" from the header of a PNG
png_size() { od -An -tu1 -j16 -N8 "$1" | awk '{print $3 * 256 + $4, $7 * 256 + $8}'; }
sized() { [ "$(png_size "$1")" = "$2 $3" ] || fail "$1 is $(png_size "$1"), not $2 x $3"; }

run 0 "$plait" info "$relief"; has out '^z: int16, in m, relief'; has out '1081 x 2160 \(lat, lon\)'
has out 'lat +-90 \.\. 90 degrees_north'; empty err
run 0 "$plait" info "$relief:z" --format json; is_json; has out '"degrees_east"'
run 0 "$plait" info "$sst"; has out '12 x 90 x 180 \(time unlimited, lat, lon\)'; has out 'missing +-1e\+34'
run 2 "$plait" info "$relief:zz"; has err "'?z'?"; lines err 1

# an array in a group has the name that can be asked for
if command -v ncgen >/dev/null; then
  echo 'netcdf g { dimensions: x = 3; group: obs { variables: float t(x); data: t = 1, 2, 4; } }' >groups.cdl
  ncgen -4 -o groups.nc groups.cdl || fail 'ncgen'
  run 0 "$plait" info groups.nc; has out '^obs/t: float32'
  run 0 "$plait" info groups.nc --format json; is_json; has out '"name": "obs/t"'
  run 0 "$plait" info groups.nc:obs/t; has out '^obs/t: float32'
  run 2 "$plait" info groups.nc:t; has err 'obs/t'
  # single values: printed themselves, beside the arrays and alone; not the coordinate of an axis
  cat >values.cdl <<'EOF'
netcdf v {
dimensions: x = 3; time = 1; none = unlimited;
variables:
  float t(x); double time(time); double level(none);
  double price; price:units = "EUR"; price:long_name = "of the option";
  int steps(time); short gone; gone:_FillValue = -1s; char crs;
data: t = 1, 2, 4; time = 7; price = 10.25; steps = 12;
group: g { variables: double inner; data: inner = 0.1; }
}
EOF
  ncgen -4 -o values.nc values.cdl || fail 'ncgen'
  run 0 "$plait" info values.nc; empty err; has out '^price: float64 = 10.25 EUR, of the option$'
  has out '^steps: int32 = 12$'; has out '^gone: int16 = nan$'; has out '^g/inner: float64 = 0.1$'
  has_not out '^time|^level|^crs'
  run 0 "$plait" info values.nc --format json; is_json; has out '"value": 10.25'; has out '"value": null'
  run 0 "$plait" info values.nc:price; lines out 2; has out '^price: float64 = 10.25 EUR'; empty err
  run 0 "$plait" info values.nc:g/inner --format json; is_json; has out '"arrays": \[\]'; has out '"value": 0.1'
  run 2 "$plait" info values.nc:prise; has err "did you mean \"price\""; lines err 1; empty out
  run 2 "$plait" info values.nc:crs; has err 'does not hold numbers'; lines err 1
  echo 'netcdf a { variables: double pi; data: pi = 3; }' >alone.cdl
  ncgen -o alone.nc alone.cdl || fail 'ncgen'
  run 0 "$plait" info alone.nc; lines out 2; has out '^pi: float64 = 3$'; empty err
fi

run 0 "$plait" view "$relief" -o relief.png; has out 'colours relief'; sized relief.png 2160 1107
run 0 "$plait" view "$relief:z" --no-legend --width 540 -o small.png; sized small.png 540 270
run 0 "$plait" view "$relief" --map gray --range -100,100 -o gray.png; has out 'gray from -100 to 100 m'
run 0 "$plait" view "$sst" --slice time=3 --no-legend -o sst.png; has out 'time=3'; sized sst.png 720 360
run 0 "$plait" view "$sst" --slice 3 --no-legend -o sst3.png; cmp -s sst.png sst3.png || fail 'slices differ'
run 0 "$plait" view "$sst" --slice -9 --no-legend -o sst9.png; cmp -s sst.png sst9.png || fail 'slices differ'
run 0 "$plait" view "$sst" --no-legend -o first.png
cmp -s sst.png first.png && fail 'two times look the same'
run 0 "$plait" view "$sst" --slice lon=90 -o section.png; has out 'lon=90'
run 0 "$plait" view "$sst" -o json.png --format json; is_json; has out '"sequential"'
run 2 "$plait" view "$sst" --slice tme=3 -o bad.png; has err "did you mean 'time'"
run 2 "$plait" view "$sst" --slice depth=3 -o bad.png; has err "no axis 'depth', only time, lat, lon$"
run 2 "$plait" view "$sst" -o nowhere/bad.png; has err 'nowhere/bad.png: cannot write: No such'; lines err 1
run 2 "$plait" view "$sst" --slice time=12 -o bad.png; has err 'indices 0 to 11'
run 2 "$plait" view "$sst" --slice time=x -o bad.png; has err 'not an index along time, 0 to 11'
run 2 "$plait" view "$sst" --slice 0,1 -o bad.png; has err 'fewer than two axes'
run 2 "$plait" view "$sst" --map graay -o bad.png; has err "did you mean 'gray'"
run 2 "$plait" view "$sst" --range 5 -o bad.png; has err 'two ascending numbers'
run 2 "$plait" view "$sst" --range 5,1 -o bad.png; has err 'two ascending numbers'
run 2 "$plait" view "$sst" -o bad.jpg; has err 'name it bad.png'; [ ! -e bad.jpg ] || fail 'a PNG called .jpg'
run 2 "$plait" view "$sst" --width 0 -o bad.png; has err 'whole number'
# quantiles stand behind latitude and longitude: a map of the first, not a strip three pixels wide
run 0 "$plait" run "$source_dir/jobs/sst-stats.yaml" output=quartiles.nc params.statistics=quantile -q
run 0 "$plait" view quartiles.nc:sst_quantile --no-legend -o quartile.png; has out 'quantile=0'; sized quartile.png 720 360
run 0 "$plait" view quartiles.nc:sst_quantile --frames quartiles --no-legend
sized quartiles/sst_quantile-0002.png 720 360
[ ! -e bad.png ] || fail 'a picture in spite of an error'
mkdir folder
run 2 "$plait" view "$sst" -o nowhere/x.png; has err 'nowhere'; lines err 1
run 2 "$plait" view "$sst" -o folder; lines err 1
# ---- units: a spread of times is a duration; latitudes that do not disappear weigh nothing
stats=$source_dir/jobs/sst-stats.yaml
run 0 "$plait" run "$stats" "input=${sst%:*}:time" output=times.nc 'params.statistics=[mean,std,variance]' params.axes=all -q
run 0 "$plait" info times.nc
has out 'time_mean.* hours since '; has out 'time_std.* hours,'; has out 'time_variance.* \(hours\)2,'
run 2 "$plait" run "$stats" output=w.nc params.statistics=mean params.weights=cos_lat; has err 'weights: .* latitude'

[ -z "$(find . -name '*.partial' -o -name '*.tmp*')" ] || fail 'a temporary file stays'
finish
