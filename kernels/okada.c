// SPDX-License-Identifier: BSD-3-Clause
//
// Okada's closed form for a rectangular fault in a half space with lambda = mu. Sums of a function
// of the four corners (his eq. 24, 25-30). Where R + eta, R + xi or q vanish, that is above the
// extended edges of the plane, he sets the singular terms to zero (his section "numerical check");
// so here.
//
// Source: Y. Okada, Surface deformation due to shear and tensile faults in a half-space, Bull.
// Seism. Soc. Am. 75 (1985) 1135-1154; checked against his table 2 (tests).
#include "okada.h"

#include <math.h>

static const double pi = 3.14159265358979323846;
static const double ratio = 0.5; // mu / (lambda + mu)

typedef struct corner { // what the terms share
  double xi, eta, q, sd, cd, R, X, y, d;
  double re, rx; // 1 / (R (R + eta)), 1 / (R (R + xi))
  double lre;    // ln(R + eta)
  double angle;  // atan(xi eta / (q R))
  double i1, i2, i3, i4, i5;
} corner;

static void elastic_terms(corner *c) {
  double rd = c->R + c->d;
  if (fabs(c->cd) > 1e-6) {
    double tangent = c->sd / c->cd;
    double top = c->eta * (c->X + c->q * c->cd) + c->X * (c->R + c->X) * c->sd;
    c->i5 = c->xi == 0 ? 0 : ratio * 2 / c->cd * atan(top / (c->xi * (c->R + c->X) * c->cd));
    c->i4 = ratio / c->cd * (log(rd) - c->sd * c->lre);
    c->i3 = ratio * (c->y / (c->cd * rd) - c->lre) + tangent * c->i4;
    c->i1 = ratio * (-c->xi / (c->cd * rd)) - tangent * c->i5;
  } else {
    c->i5 = -ratio * c->xi * c->sd / rd;
    c->i4 = -ratio * c->q / rd;
    c->i3 = ratio / 2 * (c->eta / rd + c->y * c->q / (rd * rd) - c->lre);
    c->i1 = -ratio / 2 * c->xi * c->q / (rd * rd);
  }
  c->i2 = ratio * -c->lre - c->i3;
}

static corner corner_at(double xi, double eta, double q, double dip) {
  corner c = {.xi = xi, .eta = eta, .q = q, .sd = sin(dip), .cd = cos(dip)};
  if (fabs(c.cd) < 1e-6) c.cd = 0;
  c.R = sqrt(xi * xi + eta * eta + q * q);
  c.X = sqrt(xi * xi + q * q);
  c.y = eta * c.cd + q * c.sd;
  c.d = eta * c.sd - q * c.cd;
  double tiny = 1e-12 * c.R;
  c.re = c.R + eta > tiny ? 1 / (c.R * (c.R + eta)) : 0;
  c.rx = c.R + xi > tiny ? 1 / (c.R * (c.R + xi)) : 0;
  c.lre = c.R + eta > tiny ? log(c.R + eta) : -log(c.R - eta);
  c.angle = fabs(q) > tiny ? atan(xi * eta / (q * c.R)) : 0;
  elastic_terms(&c);
  return c;
}

static void add_corner(const corner *c, double sign, const double slip[3], double u[3]) {
  double q = c->q, sd = c->sd, cd = c->cd, s2 = sd * sd;
  double reta = c->re * c->R; // 1 / (R + eta)
  const double strike[3] = {
      c->xi * q * c->re + c->angle + c->i1 * sd,
      c->y * q * c->re + q * cd * reta + c->i2 * sd,
      c->d * q * c->re + q * sd * reta + c->i4 * sd,
  };
  const double dip[3] = {
      q / c->R - c->i3 * sd * cd,
      c->y * q * c->rx + cd * c->angle - c->i1 * sd * cd,
      c->d * q * c->rx + sd * c->angle - c->i5 * sd * cd,
  };
  const double tensile[3] = {
      q * q * c->re - c->i3 * s2,
      -c->d * q * c->rx - sd * (c->xi * q * c->re - c->angle) - c->i1 * s2,
      c->y * q * c->rx + cd * (c->xi * q * c->re - c->angle) - c->i5 * s2,
  };
  for (int i = 0; i < 3; i++)
    u[i] += sign / (2 * pi) * (-slip[0] * strike[i] - slip[1] * dip[i] + slip[2] * tensile[i]);
}

void okada_rectangle(double x, double y, double depth, double dip, double length, double width,
                     const double slip[3], double u[3]) {
  double p = y * cos(dip) + depth * sin(dip), q = y * sin(dip) - depth * cos(dip);
  u[0] = u[1] = u[2] = 0;
  for (int i = 0; i < 4; i++) {
    corner c = corner_at(i < 2 ? x : x - length, i % 2 ? p - width : p, q, dip);
    add_corner(&c, i == 0 || i == 3 ? 1 : -1, slip, u);
  }
}

double okada_uplift(const okada_fault *f, double lon, double lat) {
  const double radius = 6371, rad = pi / 180; // km
  double east = remainder(lon - f->lon, 360) * rad * radius * cos((lat + f->lat) / 2 * rad);
  double north = (lat - f->lat) * rad * radius, dip = f->dip * rad;
  double cs = cos(f->strike * rad), ss = sin(f->strike * rad);
  double x = east * ss + north * cs, y = -east * cs + north * ss; // along strike, to its left
  double down = f->anchor == 2 ? f->width / 2 : f->width; // from the anchor to the lower edge
  if (f->anchor != 0) x += f->length / 2;
  y += down * cos(dip); // the plane dips to the right of the strike
  const double slip[3] = {f->slip * cos(f->rake * rad), f->slip * sin(f->rake * rad), 0};
  double u[3];
  okada_rectangle(x, y, f->depth + down * sin(dip), dip, f->length, f->width, slip, u);
  return u[2];
}
